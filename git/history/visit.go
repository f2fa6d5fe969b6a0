package history

import "context"

// visit goes through the commits that its starts reach, by rank, highest first,
// as far as its user has the parents pushed.
type visit struct {
	*graph
	queue commitQueue
	steps int
}

// push adds a commit, once.
func (v *visit) push(ctx context.Context, i uint32) error {
	if v.nodes[i].flags&commitQueued != 0 {
		return nil
	}
	if err := v.parse(ctx, i); err != nil {
		return err
	}
	v.nodes[i].flags |= commitQueued
	v.queue.push(i, v.nodes[i].rank)
	return nil
}

func (v *visit) pushAll(ctx context.Context, list []uint32) error {
	for _, i := range list {
		if err := v.push(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// reaches reports whether a commit is left from which one with the given floor
// can still be reached.
func (v *visit) reaches(floor uint64) bool { return v.queue.len() > 0 && v.queue.top() >= floor }

// pop takes out the commit of the highest rank that is left.
func (v *visit) pop(ctx context.Context) (uint32, error) {
	if v.steps++; v.steps%checkEvery == 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	i := v.queue.pop()
	v.nodes[i].flags |= commitPopped
	return i, nil
}
