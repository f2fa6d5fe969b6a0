package ancestry

import "context"

// colour says what a painter knows of a commit.
type colour uint8

const (
	left   colour = 1 << iota // reachable from one side
	right                     // and from the other
	stale                     // an ancestor of a commit that both sides reach
	result                    // listed as reached by both
	queuedColour

	both  = left | right
	sides = left | right | stale
)

// painter follows two sides of history down. Colours that reach a commit late,
// since its date lied, are carried on to all its ancestors.
type painter struct {
	*Commits
	colours Marks[colour]
	queue   Queue[uint64]
	open    int // queued commits that are not done
	// done are the colours of which all have to be there for a commit not to matter any more.
	done    colour
	seen    []Node // all that got a colour
	parents []Node
	steps   int
}

func (p *painter) isDone(c colour) bool { return c&p.done == p.done }

// push adds colours to a commit; if any is new to it, it is (again) to be looked at.
func (p *painter) push(n Node, more colour) {
	at := p.colours.At(n)
	old := *at
	if old&more == more {
		return
	}
	if old&sides == 0 {
		p.seen = append(p.seen, n)
	}
	*at |= more | queuedColour
	if old&queuedColour == 0 {
		p.queue.Push(n, p.Rank(n))
		if !p.isDone(*at) {
			p.open++
		}
	} else if !p.isDone(old) && p.isDone(*at) {
		p.open--
	}
}

func (p *painter) pop(ctx context.Context) (Node, colour, error) {
	if p.steps++; p.steps%CheckEvery == 0 {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
	}
	n := p.queue.Pop()
	at := p.colours.At(n)
	*at &^= queuedColour
	if !p.isDone(*at) {
		p.open--
	}
	return n, *at, nil
}

// descend carries colours to the parents of a commit.
func (p *painter) descend(ctx context.Context, n Node, c colour) (err error) {
	if p.parents, err = p.AppendParents(ctx, p.parents[:0], n); err != nil {
		return err
	}
	for _, parent := range p.parents {
		p.push(parent, c&sides)
	}
	return nil
}
