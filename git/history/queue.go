package history

// commitQueue gives out commits by a key (their rank, or their date), the highest
// first; those of one key in the order in which they came, as git does.
type commitQueue struct {
	heap []queued
	seq  uint32
}

type queued struct {
	key  uint64
	seq  uint32
	node uint32
}

func (q queued) before(r queued) bool {
	if q.key != r.key {
		return q.key > r.key
	}
	return q.seq < r.seq
}

func (q *commitQueue) len() int { return len(q.heap) }

// top is the key of the commit that pop would return.
func (q *commitQueue) top() uint64 { return q.heap[0].key }

func (q *commitQueue) push(node uint32, key uint64) {
	item := queued{key, q.seq, node}
	q.seq++
	q.heap = append(q.heap, item)
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !item.before(q.heap[up]) {
			break
		}
		q.heap[i] = q.heap[up]
		i = up
	}
	q.heap[i] = item
}

func (q *commitQueue) pop() uint32 {
	node := q.heap[0].node
	last := len(q.heap) - 1
	item := q.heap[last]
	q.heap = q.heap[:last]
	if last == 0 {
		return node
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && q.heap[down+1].before(q.heap[down]) {
			down++
		}
		if !q.heap[down].before(item) {
			break
		}
		q.heap[i] = q.heap[down]
		i = down
	}
	q.heap[i] = item
	return node
}
