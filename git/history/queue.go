package history

// commitQueue gives out commits by date, newest first; those of one second in
// the order in which they came, as git does.
type commitQueue struct {
	heap []queued
	seq  uint32
}

type queued struct {
	seconds int64
	seq     uint32
	node    uint32
}

func (q queued) before(r queued) bool {
	if q.seconds != r.seconds {
		return q.seconds > r.seconds
	}
	return q.seq < r.seq
}

func (q *commitQueue) len() int { return len(q.heap) }

// top is the date of the commit that pop would return.
func (q *commitQueue) top() int64 { return q.heap[0].seconds }

func (q *commitQueue) push(node uint32, seconds int64) {
	item := queued{seconds, q.seq, node}
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
