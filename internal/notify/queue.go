package notify

import (
	"slices"
	"sync"
	"time"
)

// waiting is a message on its way to one channel.
type waiting struct {
	message Message
	until   time.Time // given up then
	next    time.Time // not tried before
	tries   int
	busy    bool // being tried
}

// queue is what waits for one channel, in the order in which it was told.
type queue struct {
	most int
	wake chan struct{} // something was added, or closing began

	mu      sync.Mutex
	items   []*waiting
	closing bool // what is left is tried once more, without waiting
}

func newQueue(most int) *queue { return &queue{most: most, wake: make(chan struct{}, 1)} }

// push adds a message. When the queue is full somebody has to give way: the
// oldest that wakes nobody, else the oldest; not what is being tried.
func (q *queue) push(w *waiting) (dropped *waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, w)
	if len(q.items) > q.most {
		i := slices.IndexFunc(q.items, func(w *waiting) bool { return !w.busy && !w.message.Page })
		if i < 0 {
			i = slices.IndexFunc(q.items, func(w *waiting) bool { return !w.busy })
		}
		dropped = q.items[i] // there is one: a single message can be busy
		q.items = slices.Delete(q.items, i, i+1)
	}
	q.rouse()
	return dropped
}

// pick returns what is to be tried now: pages first, then by age, and never a
// message before an older one of the same matter. Without one it returns how
// long nothing is due; 0: until something is added.
func (q *queue) pick(now time.Time) (due *waiting, idle time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	blocked := map[string]bool{}
	for _, w := range q.items {
		key := w.message.Key
		older := blocked[key]
		blocked[key] = true
		if older {
			continue
		}
		if wait := w.next.Sub(now); wait > 0 && !q.closing {
			if idle == 0 || wait < idle {
				idle = wait
			}
			continue
		}
		if due == nil || w.message.Page && !due.message.Page {
			due = w
		}
	}
	if due != nil {
		due.busy = true
	}
	return due, idle
}

// later puts a message back until it is to be tried again.
func (q *queue) later(w *waiting, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.busy, w.next = false, next
}

// done takes a message out.
func (q *queue) done(w *waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = slices.DeleteFunc(q.items, func(i *waiting) bool { return i == w })
}

// close begins the end: what waits is tried once more. It returns at once.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closing = true
	q.rouse()
}

// closed tells whether the end has begun.
func (q *queue) closed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closing
}

// drain empties the queue.
func (q *queue) drain() []*waiting {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.items
	q.items = nil
	return left
}

func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
