// JetStream as the users of nats.go have it: the package jetstream, and the older calls of nats.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func jetStream(url string) (jetstream.JetStream, context.Context) {
	js, err := jetstream.New(connect(url))
	check(err, "jetstream")
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	_ = cancel // the program ends before it
	return js, ctx
}

func expectError(err, expected error, what string) {
	if !errors.Is(err, expected) {
		fail("%s: expected the error %v, got %v", what, expected, err)
	}
}

func addStream(url string, config jetstream.StreamConfig) (jetstream.JetStream, context.Context,
	jetstream.Stream) {
	js, ctx := jetStream(url)
	stream, err := js.CreateStream(ctx, config)
	check(err, "creating the stream "+config.Name)
	return js, ctx, stream
}

// publishNumbers stores the payloads 0 to count-1.
func publishNumbers(ctx context.Context, js jetstream.JetStream, subject string, count int) {
	for i := 0; i < count; i++ {
		_, err := js.PublishAsync(subject, []byte(strconv.Itoa(i)))
		check(err, "publish")
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-ctx.Done():
		fail("%d publishes have no answer", js.PublishAsyncPending())
	}
}

func jsPublish(url string) {
	js, ctx, stream := addStream(url, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"},
		Duplicates: time.Minute})
	first, err := js.Publish(ctx, "s.a", []byte("x"), jetstream.WithMsgID("1"))
	check(err, "publish")
	again, err := js.Publish(ctx, "s.a", []byte("x"), jetstream.WithMsgID("1"))
	check(err, "publish again")
	expect(first.Duplicate, false, "duplicate, the first time")
	expect(again.Duplicate, true, "duplicate, the second time")
	expect(again.Sequence, first.Sequence, "sequence of the duplicate")
	_, err = js.Publish(ctx, "s.a", nil, jetstream.WithExpectLastSequence(7))
	var refused *jetstream.APIError
	if !errors.As(err, &refused) || refused.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequence {
		fail("a wrong expectation: got %v", err)
	}
	_, err = js.Publish(ctx, "s.a", nil, jetstream.WithExpectLastSequencePerSubject(1))
	check(err, "publish with the right last sequence of the subject")
	_, err = js.Publish(ctx, "elsewhere", nil)
	expectError(err, jetstream.ErrNoStreamResponse, "no stream has the subject")
	publishNumbers(ctx, js, "s.b", 1000)
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter("s.*"))
	check(err, "info")
	expect(info.State.LastSeq, 1002, "last sequence")
	expect(info.State.Subjects["s.b"], 1000, "messages of s.b")
}

func jsStreams(url string) {
	js, ctx, stream := addStream(url, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"},
		AllowDirect: true, MaxMsgsPerSubject: 2})
	for i := 0; i < 6; i++ {
		_, err := js.Publish(ctx, fmt.Sprintf("s.%d", i%2), []byte(strconv.Itoa(i)))
		check(err, "publish")
	}
	info, err := stream.Info(ctx)
	check(err, "info")
	expect(info.State.Msgs, 4, "messages, two a subject")
	msg, err := stream.GetLastMsgForSubject(ctx, "s.0")
	check(err, "the last message")
	expect(string(msg.Data), "4", "the last message of s.0")
	_, err = stream.GetMsg(ctx, 1)
	expectError(err, jetstream.ErrMsgNotFound, "a message that was evicted")
	check(stream.DeleteMsg(ctx, 5), "delete")
	check(stream.Purge(ctx, jetstream.WithPurgeSubject("s.1"), jetstream.WithPurgeKeep(1)), "purge")
	info, err = stream.Info(ctx, jetstream.WithDeletedDetails(true))
	check(err, "info")
	expect(info.State.Msgs, 2, "messages after a delete and a purge")
	expect(fmt.Sprint(info.State.Deleted), "[4 5]", "the gaps")
	for i := 0; i < 300; i++ {
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: fmt.Sprintf("N%d", i),
			Subjects: []string{fmt.Sprintf("n.%d", i)}, Storage: jetstream.MemoryStorage})
		check(err, "creating many")
	}
	names := map[string]bool{}
	lister := js.StreamNames(ctx)
	for name := range lister.Name() {
		names[name] = true
	}
	check(lister.Err(), "names")
	expect(len(names), 301, "names of streams, page by page")
	name, err := js.StreamNameBySubject(ctx, "n.17")
	check(err, "by subject")
	expect(name, "N17", "the stream of a subject")
	check(js.DeleteStream(ctx, "N17"), "delete")
	_, err = js.Stream(ctx, "N17")
	expectError(err, jetstream.ErrStreamNotFound, "a stream that was deleted")
	enabled, level := js.Conn().ConnectedServerJetStream()
	expect(enabled, true, "JetStream is enabled, says the greeting")
	expect(level, 4, "the level of the API, says the greeting")
	account, err := js.AccountInfo(ctx)
	check(err, "account")
	expect(account.Streams, 300, "streams of the account")
}

// takeNumbers acknowledges messages that have the payloads from first on.
func takeNumbers(batch jetstream.MessageBatch, err error, first, count int, what string) {
	check(err, what)
	got := 0
	for msg := range batch.Messages() {
		expect(string(msg.Data()), strconv.Itoa(first+got), what)
		check(msg.Ack(), "ack")
		got++
	}
	check(batch.Error(), what)
	expect(got, count, what+": messages")
}

func jsPull(url string) {
	js, ctx, stream := addStream(url, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	publishNumbers(ctx, js, "s", 1000)
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "d",
		AckPolicy: jetstream.AckExplicitPolicy})
	check(err, "consumer")
	batch, err := consumer.Fetch(10)
	takeNumbers(batch, err, 0, 10, "fetch")
	batch, err = consumer.FetchNoWait(10)
	takeNumbers(batch, err, 10, 10, "fetch without waiting")
	// A message is counted with its subjects, ids and sizes; a batch of 500 bytes has a few.
	batch, err = consumer.FetchBytes(500, jetstream.FetchMaxWait(time.Second))
	check(err, "fetch bytes")
	next := 20
	for msg := range batch.Messages() {
		expect(string(msg.Data()), strconv.Itoa(next), "fetch bytes")
		check(msg.DoubleAck(ctx), "double ack")
		next++
	}
	expect(next > 20 && next < 50, true, fmt.Sprintf("%d messages in 500 bytes", next-20))
	iterator, err := consumer.Messages(jetstream.PullMaxMessages(50))
	check(err, "messages")
	for ; next < 500; next++ {
		msg, err := iterator.Next()
		check(err, "next")
		expect(string(msg.Data()), strconv.Itoa(next), "messages")
		check(msg.Ack(), "ack")
	}
	iterator.Drain()
	for { // what had been delivered when it was drained
		msg, err := iterator.Next()
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			break
		}
		check(err, "next while draining")
		expect(string(msg.Data()), strconv.Itoa(next), "messages while draining")
		check(msg.Ack(), "ack")
		next++
	}
	jsConsume(ctx, consumer, next)
	batch, err = consumer.FetchNoWait(1)
	takeNumbers(batch, err, 0, 0, "an empty fetch")
	info, err := consumer.Info(ctx)
	check(err, "info")
	expect(info.NumPending, 0, "pending")
	expect(info.AckFloor.Stream, 1000, "acknowledged up to")
}

func jsConsume(ctx context.Context, consumer jetstream.Consumer, next int) {
	numbers := make(chan string, 1000)
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		numbers <- string(msg.Data())
		check(msg.DoubleAck(ctx), "double ack")
	}, jetstream.PullMaxMessages(100), jetstream.PullExpiry(2*time.Second))
	check(err, "consume")
	for ; next < 1000; next++ {
		select {
		case got := <-numbers:
			expect(got, strconv.Itoa(next), "consume")
		case <-ctx.Done():
			fail("consume: no message %d", next)
		}
	}
	consuming.Drain()
	<-consuming.Closed()
}

func jsRedelivery(url string) {
	js, ctx, stream := addStream(url, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"},
		Retention: jetstream.WorkQueuePolicy})
	publishNumbers(ctx, js, "s", 3)
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "d",
		AckPolicy: jetstream.AckExplicitPolicy, BackOff: []time.Duration{200 * time.Millisecond},
		MaxDeliver: 3})
	check(err, "consumer")
	fetch := func(data string, delivered uint64) jetstream.Msg {
		msg, err := consumer.Next(jetstream.FetchMaxWait(patience))
		check(err, "next")
		meta, err := msg.Metadata()
		check(err, "metadata")
		expect(string(msg.Data()), data, "payload")
		expect(meta.NumDelivered, delivered, "how often it was delivered")
		return msg
	}
	check(fetch("0", 1).Nak(), "nak")
	check(fetch("0", 2).Ack(), "ack")
	check(fetch("1", 1).Term(), "term")
	msg := fetch("2", 1)
	for i := 0; i < 4; i++ { // in progress for longer than the wait
		time.Sleep(100 * time.Millisecond)
		check(msg.InProgress(), "in progress")
	}
	check(msg.NakWithDelay(100*time.Millisecond), "nak with a delay")
	begin := time.Now()
	check(fetch("2", 2).DoubleAck(ctx), "ack")
	expect(time.Since(begin) > 50*time.Millisecond, true, "the delay")
	info, err := stream.Info(ctx)
	check(err, "info")
	expect(info.State.Msgs, 0, "what the work queue has left")
}

func jsOrdered(url string) {
	js, ctx, stream := addStream(url, jetstream.StreamConfig{Name: "S",
		Subjects: []string{"a", "b"}})
	publishNumbers(ctx, js, "a", 500)
	publishNumbers(ctx, js, "b", 500)
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"b"}})
	check(err, "consumer")
	iterator, err := consumer.Messages()
	check(err, "messages")
	for i := 0; i < 500; i++ {
		if i == 250 { // it makes itself another one
			for name := range stream.ConsumerNames(ctx).Name() {
				check(stream.DeleteConsumer(ctx, name), "delete")
			}
		}
		msg, err := iterator.Next()
		check(err, "next")
		expect(string(msg.Data()), strconv.Itoa(i), "ordered")
	}
	iterator.Stop()
	older, err := connect(url).JetStream()
	check(err, "the older JetStream")
	sub, err := older.SubscribeSync("a", nats.OrderedConsumer())
	check(err, "an older ordered consumer")
	for i := 0; i < 500; i++ {
		expect(string(next(sub).Data), strconv.Itoa(i), "older ordered")
	}
}

func jsPush(url string) {
	js, ctx, stream := addStream(url, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	publishNumbers(ctx, js, "s", 2000)
	older, err := connect(url).JetStream()
	check(err, "the older JetStream")
	sub, err := older.SubscribeSync("s", nats.Durable("d"), nats.AckExplicit(), nats.ManualAck(),
		nats.EnableFlowControl(), nats.IdleHeartbeat(time.Second), nats.MaxAckPending(100))
	check(err, "subscribe")
	for i := 0; i < 2000; i++ {
		msg := next(sub)
		expect(string(msg.Data), strconv.Itoa(i), "push")
		check(msg.Ack(), "ack")
	}
	check(sub.Unsubscribe(), "unsubscribe")
	consumer, err := stream.CreatePushConsumer(ctx, jetstream.ConsumerConfig{Durable: "p",
		DeliverSubject: "deliver.p", AckPolicy: jetstream.AckExplicitPolicy,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: 1001})
	check(err, "push consumer")
	numbers := make(chan string, 1000)
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		numbers <- string(msg.Data())
		check(msg.Ack(), "ack")
	})
	check(err, "consume")
	for i := 1000; i < 2000; i++ {
		expect(<-numbers, strconv.Itoa(i), "push consumer")
	}
	consuming.Stop()
	pull, err := older.PullSubscribe("s", "older-pull")
	check(err, "pull subscribe")
	for i := 0; i < 2000; i += 100 {
		batch, err := pull.Fetch(100, nats.MaxWait(patience))
		check(err, "fetch")
		for j, msg := range batch {
			expect(string(msg.Data), strconv.Itoa(i+j), "older fetch")
			if j < len(batch)-1 {
				check(msg.Ack(), "ack")
			} else {
				check(msg.AckSync(), "ack")
			}
		}
	}
}

func jsKeyValue(url string) {
	js, ctx := jetStream(url)
	kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "B", History: 5,
		LimitMarkerTTL: time.Second})
	check(err, "bucket")
	watcher, err := kv.Watch(ctx, "a.*")
	check(err, "watch")
	if entry := <-watcher.Updates(); entry != nil {
		fail("a watcher of nothing sees %s", entry.Key())
	}
	seen := func(key, value string, operation jetstream.KeyValueOp) {
		select {
		case entry := <-watcher.Updates():
			expect(entry.Key()+"="+string(entry.Value()), key+"="+value, "what the watcher sees")
			expect(entry.Operation(), operation, "the operation on "+key)
		case <-ctx.Done():
			fail("the watcher does not see %s", key)
		}
	}
	revision, err := kv.Create(ctx, "a.one", []byte("1"))
	check(err, "create")
	seen("a.one", "1", jetstream.KeyValuePut)
	_, err = kv.Create(ctx, "a.one", nil)
	expectError(err, jetstream.ErrKeyExists, "create what exists")
	_, err = kv.Update(ctx, "a.one", []byte("2"), revision+7)
	if err == nil {
		fail("an update of another revision was taken")
	}
	_, err = kv.Update(ctx, "a.one", []byte("2"), revision)
	check(err, "update")
	seen("a.one", "2", jetstream.KeyValuePut)
	old, err := kv.GetRevision(ctx, "a.one", revision)
	check(err, "an old revision")
	expect(string(old.Value()), "1", "an old revision")
	check(kv.Delete(ctx, "a.one"), "delete")
	seen("a.one", "", jetstream.KeyValueDelete)
	_, err = kv.Get(ctx, "a.one")
	expectError(err, jetstream.ErrKeyNotFound, "a deleted key")
	history, err := kv.History(ctx, "a.one")
	check(err, "history")
	expect(len(history), 3, "entries of the history")
	_, err = kv.Create(ctx, "a.brief", []byte("x"), jetstream.KeyTTL(time.Second))
	check(err, "create with a time to live")
	seen("a.brief", "x", jetstream.KeyValuePut)
	seen("a.brief", "", jetstream.KeyValuePurge) // the marker that it leaves
	_, err = kv.Get(ctx, "a.brief")
	expectError(err, jetstream.ErrKeyNotFound, "a key after its time")
	_, err = kv.PutString(ctx, "b.two", "2")
	check(err, "put")
	check(kv.Purge(ctx, "a.one"), "purge")
	seen("a.one", "", jetstream.KeyValuePurge)
	keys, err := kv.Keys(ctx)
	check(err, "keys")
	expect(fmt.Sprint(keys), "[b.two]", "keys")
	check(kv.PurgeDeletes(ctx, jetstream.DeleteMarkersOlderThan(-1)), "purge deletes")
	status, err := kv.Status(ctx)
	check(err, "status")
	expect(status.Values(), 1, "values that are left")
}

func jsObjects(url string) {
	js, ctx := jetStream(url)
	store, err := js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: "O"})
	check(err, "store")
	watcher, err := store.Watch(ctx)
	check(err, "watch")
	if info := <-watcher.Updates(); info != nil {
		fail("a watcher of nothing sees %s", info.Name)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 50_000)
	info, err := store.Put(ctx, jetstream.ObjectMeta{Name: "big", Description: "some",
		Opts: &jetstream.ObjectMetaOptions{ChunkSize: 10_000}}, bytes.NewReader(data))
	check(err, "put")
	expect(info.Chunks, 80, "chunks")
	expect((<-watcher.Updates()).Name, "big", "what the watcher sees")
	got, err := store.GetBytes(ctx, "big")
	check(err, "get")
	expect(bytes.Equal(got, data), true, "the object comes back")
	_, err = store.AddLink(ctx, "link", info)
	check(err, "link")
	expect((<-watcher.Updates()).Name, "link", "what the watcher sees next")
	got, err = store.GetBytes(ctx, "link")
	check(err, "get by the link")
	expect(bytes.Equal(got, data), true, "the object comes by its link")
	other, err := js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: "P"})
	check(err, "another store")
	_, err = store.AddBucketLink(ctx, "bucket", other)
	check(err, "a link of a bucket")
	check(store.UpdateMeta(ctx, "big", jetstream.ObjectMeta{Name: "bigger"}), "rename")
	got, err = store.GetBytes(ctx, "bigger")
	check(err, "get by the new name")
	expect(bytes.Equal(got, data), true, "the object has a new name")
	_, err = store.PutString(ctx, "small", "x")
	check(err, "put")
	check(store.Delete(ctx, "small"), "delete")
	_, err = store.Get(ctx, "small")
	expectError(err, jetstream.ErrObjectNotFound, "a deleted object")
	list, err := store.List(ctx)
	check(err, "list")
	expect(len(list), 3, "objects and links")
	check(store.Seal(ctx), "seal")
	if _, err = store.PutString(ctx, "late", "x"); err == nil {
		fail("a sealed store takes an object")
	}
}
