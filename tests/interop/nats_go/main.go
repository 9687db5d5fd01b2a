// A scenario of the Go client against a running server: nats_go HOST PORT SCENARIO [ARGUMENT...].
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const patience = 10 * time.Second

// connect gives a connection that ends with the program.
func connect(url string, options ...nats.Option) *nats.Conn {
	nc, err := nats.Connect(url, options...)
	check(err, "connect")
	return nc
}

// The program ends at the first thing that is not as it should be.
func fail(format string, values ...any) {
	fmt.Printf(format+"\n", values...)
	os.Exit(1)
}

func check(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func expect[T comparable](got, expected T, what string) {
	if got != expected {
		fail("%s: expected %v, got %v", what, expected, got)
	}
}

func next(sub *nats.Subscription) *nats.Msg {
	msg, err := sub.NextMsg(patience)
	check(err, "waiting for a message on "+sub.Subject)
	return msg
}

func subscribe(nc *nats.Conn, subject string) *nats.Subscription {
	sub, err := nc.SubscribeSync(subject)
	check(err, "subscribe")
	check(sub.SetPendingLimits(-1, -1), "pending limits")
	check(nc.Flush(), "flush")
	return sub
}

func publish(nc *nats.Conn, subject string, payload []byte) {
	check(nc.Publish(subject, payload), "publish")
}

func expectNothing(nc *nats.Conn, sub *nats.Subscription) {
	check(nc.Flush(), "flush")
	if msg, err := sub.NextMsg(50 * time.Millisecond); err == nil {
		fail("unexpected message on %s: %q", msg.Subject, msg.Data)
	}
}

func pubsub(url string) {
	nc, publisher := connect(url), connect(url)
	exact, star, rest := subscribe(nc, "a.b"), subscribe(nc, "a.*"), subscribe(nc, "a.>")
	for _, subject := range []string{"a.b", "a.c", "a.b.c", "a", "b"} {
		publish(publisher, subject, []byte(subject))
	}
	check(publisher.Flush(), "flush")
	for sub, subjects := range map[*nats.Subscription][]string{
		exact: {"a.b"}, star: {"a.b", "a.c"}, rest: {"a.b", "a.c", "a.b.c"},
	} {
		for _, subject := range subjects {
			expect(next(sub).Subject, subject, "subject for "+sub.Subject)
		}
		expectNothing(nc, sub)
	}
}

func payloads(url string) {
	nc := connect(url)
	sub := subscribe(nc, "payload")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, payload := range [][]byte{{}, []byte("\r\n"), every, bytes.Repeat(every, 4096)} {
		publish(nc, "payload", payload)
		if got := next(sub).Data; !bytes.Equal(got, payload) {
			fail("payload of %d bytes: got %d bytes, or others", len(payload), len(got))
		}
	}
}

func headers(url string) {
	nc := connect(url)
	sub := subscribe(nc, "headers")
	sent := nats.NewMsg("headers")
	sent.Header.Add("Source", "order-service")
	sent.Header.Add("Tag", "one")
	sent.Header.Add("Tag", "two")
	sent.Data = []byte("payload")
	check(nc.PublishMsg(sent), "publish")
	got := next(sub)
	expect(got.Header.Get("Source"), "order-service", "Source")
	expect(fmt.Sprint(got.Header.Values("Tag")), "[one two]", "Tag")
	expect(string(got.Data), "payload", "payload")
}

func request(url string) {
	service, client := connect(url), connect(url)
	_, err := service.Subscribe("double", func(msg *nats.Msg) {
		number, _ := strconv.Atoi(string(msg.Data))
		_ = msg.Respond([]byte(strconv.Itoa(2 * number)))
	})
	check(err, "subscribe")
	check(service.Flush(), "flush")
	var group sync.WaitGroup
	for worker := 0; worker < 10; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 50; i++ {
				number := 100*worker + i
				answer, err := client.Request("double", []byte(strconv.Itoa(number)), patience)
				check(err, "request")
				expect(string(answer.Data), strconv.Itoa(2*number), "answer")
			}
		}()
	}
	group.Wait()
}

func noResponders(url string) {
	_, err := connect(url).Request("nobody", nil, patience)
	if !errors.Is(err, nats.ErrNoResponders) {
		fail("expected %v, got %v", nats.ErrNoResponders, err)
	}
}

func queue(url string) {
	const members, messages = 3, 300
	var subs []*nats.Subscription
	for i := 0; i < members; i++ {
		nc := connect(url)
		sub, err := nc.QueueSubscribeSync("jobs.*", "workers")
		check(err, "subscribe")
		check(nc.Flush(), "flush")
		subs = append(subs, sub)
	}
	publisher := connect(url)
	for i := 0; i < messages; i++ {
		publish(publisher, "jobs.any", []byte(strconv.Itoa(i)))
	}
	check(publisher.Flush(), "flush")
	seen := map[string]bool{}
	for deadline := time.Now().Add(patience); len(seen) < messages; {
		if time.Now().After(deadline) {
			fail("the members got %d of %d messages", len(seen), messages)
		}
		for i, sub := range subs {
			msg, err := sub.NextMsg(5 * time.Millisecond)
			if err != nil {
				continue
			}
			if seen[string(msg.Data)] {
				fail("message %s came twice, now to member %d", msg.Data, i)
			}
			seen[string(msg.Data)] = true
		}
	}
	for i, sub := range subs {
		if delivered, _ := sub.Delivered(); delivered == 0 {
			fail("member %d got nothing", i)
		}
	}
}

func drain(url string) {
	closed := make(chan struct{})
	nc := connect(url, nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	publisher := connect(url)
	count := 0
	_, err := nc.Subscribe("drained", func(*nats.Msg) {
		time.Sleep(time.Millisecond)
		count++
	})
	check(err, "subscribe")
	check(nc.Flush(), "flush")
	for i := 0; i < 200; i++ {
		publish(publisher, "drained", nil)
	}
	check(publisher.Flush(), "flush")
	check(nc.Flush(), "flush")
	check(nc.Drain(), "drain")
	select {
	case <-closed:
	case <-time.After(patience):
		fail("the connection is not closed %v after Drain", patience)
	}
	expect(count, 200, "messages")
}

func maxPayload(url string) {
	nc := connect(url)
	expect(nc.MaxPayload(), 1<<20, "MaxPayload")
	err := nc.Publish("big", make([]byte, nc.MaxPayload()+1))
	if !errors.Is(err, nats.ErrMaxPayload) {
		fail("expected %v, got %v", nats.ErrMaxPayload, err)
	}
	sub := subscribe(nc, "big")
	publish(nc, "big", make([]byte, nc.MaxPayload()))
	expect(len(next(sub).Data), 1<<20, "size")
}

func order(url string) {
	const messages = 50_000
	sub := subscribe(connect(url), "order")
	publisher := connect(url)
	for i := 0; i < messages; i++ {
		publish(publisher, "order", []byte(strconv.Itoa(i)))
	}
	check(publisher.Flush(), "flush")
	for i := 0; i < messages; i++ {
		expect(string(next(sub).Data), strconv.Itoa(i), "message")
	}
}

func restart(url string) {
	reconnected := make(chan struct{}, 1)
	nc := connect(url, nats.ReconnectWait(50*time.Millisecond), nats.MaxReconnects(-1),
		nats.ReconnectHandler(func(*nats.Conn) { reconnected <- struct{}{} }))
	sub := subscribe(nc, "kept.*")
	fmt.Println("RESTART")
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	check(err, "waiting for the restart")
	select {
	case <-reconnected:
	case <-time.After(patience):
		fail("not connected again after %v", patience)
	}
	check(nc.Flush(), "flush")
	publisher := connect(url)
	publish(publisher, "kept.a", []byte("after"))
	check(publisher.Flush(), "flush")
	expect(string(next(sub).Data), "after", "payload")
}

func main() {
	scenarios := map[string]func(string){
		"pubsub": pubsub, "payloads": payloads, "headers": headers, "request": request,
		"no_responders": noResponders, "queue": queue, "drain": drain, "max_payload": maxPayload,
		"order": order, "restart": restart, "kills": kills, "js_publish": jsPublish,
		"js_streams": jsStreams, "js_pull": jsPull, "js_redelivery": jsRedelivery,
		"js_ordered": jsOrdered, "js_push": jsPush, "js_kv": jsKeyValue,
		"js_objects": jsObjects,
	}
	if len(os.Args) < 4 || scenarios[os.Args[3]] == nil {
		fail("usage: nats_go HOST PORT SCENARIO [ARGUMENT...]")
	}
	scenarios[os.Args[3]](fmt.Sprintf("nats://%s:%s", os.Args[1], os.Args[2]))
}
