package ancestry

// Queue holds commits, those with the greatest key first, and of the same key
// those that came first: git's order wherever it goes by date.
// The zero Queue is empty.
type Queue[K int64 | uint64] struct {
	heap []queued[K]
	n    uint32
}

type queued[K int64 | uint64] struct {
	key  K
	came uint32
	node Node
}

func (a *queued[K]) before(b *queued[K]) bool {
	return a.key > b.key || a.key == b.key && a.came < b.came
}

// Len is how many commits are queued.
func (q *Queue[K]) Len() int { return len(q.heap) }

// Top returns the key of the commit that Pop returns next. There is one.
func (q *Queue[K]) Top() K { return q.heap[0].key }

// Push adds a commit.
func (q *Queue[K]) Push(n Node, key K) {
	item := queued[K]{key, q.n, n}
	q.n++
	q.heap = append(q.heap, item)
	at := len(q.heap) - 1
	for at > 0 {
		up := (at - 1) / 2
		if !item.before(&q.heap[up]) {
			break
		}
		q.heap[at] = q.heap[up]
		at = up
	}
	q.heap[at] = item
}

// Pop removes the first commit. There is one.
func (q *Queue[K]) Pop() Node {
	first := q.heap[0].node
	last := len(q.heap) - 1
	item := q.heap[last]
	q.heap = q.heap[:last]
	if last == 0 {
		return first
	}
	at := 0
	for {
		down := 2*at + 1
		if down >= last {
			break
		}
		if down+1 < last && q.heap[down+1].before(&q.heap[down]) {
			down++
		}
		if !q.heap[down].before(&item) {
			break
		}
		q.heap[at] = q.heap[down]
		at = down
	}
	q.heap[at] = item
	return first
}
