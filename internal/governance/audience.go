package governance

import (
	"reflect"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
)

// assignment compares who may take part, where assay assigns. What others assign is
// only computed anew: it says nothing of who sees what.
func (c *comparison) assignment() {
	was, is := c.was.Assignment, c.is.Assignment
	switch {
	case reflect.DeepEqual(was, is):
	case !was.Ours() && !is.Ours():
		c.add(Neutral, "what others assign is computed anew in another way")
	case was.Ours() != is.Ours():
		c.add(Grow, "somebody else assigns its units")
	default:
		c.audience(was, is)
	}
}

func (c *comparison) audience(was, is *experiment.Assignment) {
	if !reflect.DeepEqual(was.Values, is.Values) {
		c.add(Grow, "clients get other values")
	}
	wider, narrower := !within(is.Eligible, was.Eligible), !within(was.Eligible, is.Eligible)
	switch {
	case wider:
		c.add(Grow, "eligible: others may take part")
	case narrower:
		c.add(Shrink, "eligible: fewer may take part")
	}
	c.holdouts(was.Holdouts, is.Holdouts)
	c.group(was.Group, is.Group)
}

// within tells whether everybody who is in one of the first audiences is surely in one
// of the second. None is everybody.
func within(some, all []experiment.Audience) bool {
	if len(all) == 0 {
		return true
	}
	if len(some) == 0 {
		return false
	}
	for _, a := range some {
		if !slices.ContainsFunc(all, func(b experiment.Audience) bool { return narrowerThan(a, b) }) {
			return false
		}
	}
	return true
}

// narrowerThan tells whether the first asks for everything that the second asks for.
func narrowerThan(a, b experiment.Audience) bool {
	for attribute, allowed := range b {
		has, ok := a[attribute]
		if !ok || slices.ContainsFunc(has, func(v string) bool { return !slices.Contains(allowed, v) }) {
			return false
		}
	}
	return true
}

func (c *comparison) holdouts(was, is []experiment.Holdout) {
	parts := func(list []experiment.Holdout, name string) int64 {
		for _, h := range list {
			if h.Name == name {
				return int64(h.Parts)
			}
		}
		return 0
	}
	named := map[string]bool{}
	for _, h := range slices.Concat(was, is) {
		if a, b := parts(was, h.Name), parts(is, h.Name); a != b && !named[h.Name] {
			named[h.Name] = true
			c.more(int(a-b), "holdout %s: %s → %s", h.Name, percent(float64(a)/experiment.Million), percent(float64(b)/experiment.Million))
		}
	}
}

func (c *comparison) group(was, is *experiment.GroupRange) {
	switch {
	case reflect.DeepEqual(was, is):
	case was == nil:
		c.add(Shrink, "it takes a part of group %s alone", is)
	case is == nil:
		c.add(Grow, "it leaves group %s: everybody may take part", was)
	case was.Name == is.Name && is.From >= was.From && is.To <= was.To:
		c.add(Shrink, "group %s → %s", was, is)
	default:
		c.add(Grow, "group %s → %s", was, is)
	}
}
