package pack

import (
	"context"
	"sync"
)

// crew runs goroutines that end together: the first error cancels the context
// of all, and wait returns it once the last of them is gone.
type crew struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
}

func newCrew(ctx context.Context) *crew {
	c := new(crew)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c
}

// run starts one member.
func (c *crew) run(work func() error) {
	c.wg.Go(func() { c.fail(work()) })
}

// fail ends the crew with err, if err is the first; nil does nothing.
func (c *crew) fail(err error) {
	if err != nil {
		c.cancel(err)
	}
}

// wait returns what made the crew end: nil when every member finished.
func (c *crew) wait() error {
	c.wg.Wait()
	err := context.Cause(c.ctx)
	c.cancel(nil)
	return err
}
