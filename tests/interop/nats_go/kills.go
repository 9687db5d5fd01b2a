// Publishers for kills.py: the server is killed under them.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	killsWindow = 64  // messages on their way, of one publisher
	killsAfter  = 100 // messages acknowledged after the kill, of one with message ids
)

// killsPublisher sends its numbers in order. One with message ids sends again, on its next
// connection, what was not acknowledged; one without ends with its connection.
type killsPublisher struct {
	url, name, stream string
	ids               bool
	next              int
	waiting           []int // sent and not acknowledged, in order
	acknowledged      []string
}

func (p *killsPublisher) payload(number int) []byte {
	return []byte(fmt.Sprintf("%s %d %s", p.name, number,
		strings.Repeat("spanwire", number*37%80)))
}

func (p *killsPublisher) send(js jetstream.JetStream, number int) (jetstream.PubAckFuture, error) {
	msg := nats.NewMsg(p.stream + "." + p.name)
	msg.Data = p.payload(number)
	if p.ids {
		msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s.%d", p.name, number))
	}
	return js.PublishMsgAsync(msg)
}

// run gives what was acknowledged, as lines for kills.py.
func (p *killsPublisher) run(killed *atomic.Bool) []string {
	for {
		closed := make(chan struct{})
		nc, err := nats.Connect(p.url, nats.NoReconnect(),
			nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
			nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
		if err != nil {
			time.Sleep(20 * time.Millisecond) // it is down
			continue
		}
		done := p.use(nc, closed, killed)
		nc.Close()
		if done || !p.ids {
			return p.acknowledged
		}
	}
}

// use says whether all is done; else the connection has ended.
func (p *killsPublisher) use(nc *nats.Conn, closed chan struct{}, killed *atomic.Bool) bool {
	js, err := jetstream.New(nc)
	check(err, "jetstream")
	var answers []jetstream.PubAckFuture // of p.waiting
	for _, number := range p.waiting {
		answer, err := p.send(js, number)
		if err != nil {
			return false
		}
		answers = append(answers, answer)
	}
	enough := -1
	for {
		if killed.Load() && enough < 0 {
			enough = p.next + killsAfter
		}
		for len(answers) < killsWindow && (enough < 0 || p.next < enough) {
			answer, err := p.send(js, p.next)
			if err != nil {
				return false
			}
			p.waiting, answers = append(p.waiting, p.next), append(answers, answer)
			p.next++
		}
		if len(answers) == 0 {
			return true
		}
		if !p.take(answers[0], closed, nc) {
			return false
		}
		answers = answers[1:]
	}
}

// take waits for the answer to the oldest message.
func (p *killsPublisher) take(answer jetstream.PubAckFuture, closed chan struct{},
	nc *nats.Conn) bool {
	select {
	case ack := <-answer.Ok():
		p.acknowledged = append(p.acknowledged,
			fmt.Sprintf("%s %s %d %d", p.stream, p.name, p.waiting[0], ack.Sequence))
		p.waiting = p.waiting[1:]
		return true
	case err := <-answer.Err():
		if nc.IsConnected() {
			fail("%s: publishing %d: %v", p.name, p.waiting[0], err)
		}
		return false
	case <-closed:
		return false
	case <-time.After(patience):
		fail("%s: no answer to %d after %v", p.name, p.waiting[0], patience)
		return false
	}
}

// ready waits until the stream takes messages.
func ready(url string) {
	nc := connect(url)
	defer nc.Close()
	js, err := jetstream.New(nc)
	check(err, "jetstream")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = js.Stream(ctx, "once")
	check(err, "the stream")
}

// kills has the arguments NAME PUBLISHERS. It says PUBLISHING, hears of the kill by a line, and then
// says what was acknowledged: stream, publisher, number, sequence.
func kills(url string) {
	name := os.Args[4]
	publishers, err := strconv.Atoi(os.Args[5])
	check(err, "how many publishers")
	ready(url)
	var group sync.WaitGroup
	var killed atomic.Bool
	results := make([][]string, 2*publishers)
	for i := range results {
		p := &killsPublisher{url: url, stream: "plain", ids: i >= publishers}
		p.name = fmt.Sprintf("%s-%d", name, i)
		if p.ids {
			p.stream = "once"
		}
		group.Add(1)
		go func() {
			defer group.Done()
			results[i] = p.run(&killed)
		}()
	}
	fmt.Println("PUBLISHING")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	check(err, "waiting for the kill")
	killed.Store(true)
	group.Wait()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, lines := range results {
		for _, line := range lines {
			fmt.Fprintln(out, line)
		}
	}
}
