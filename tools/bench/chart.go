package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// The colours of the charts are legible on white and on black.
const chartStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #6b7280 }
.name { fill: #4b83c4 }
.ours { fill: #2f9e68 }
.again { fill: #8fd3b0 }
.goal { stroke: #d9534f; stroke-width: 2 }
.grid { stroke: #9ca3af; stroke-opacity: .4 }
</style>
`

// tableChart draws for each operation what ours takes of the best of stock's
// time, on a logarithmic scale from 0.001 to 1; a red line is the goal.
func tableChart(rows []row) []byte {
	const left, width, height, least = 210, 640, 34, 0.001
	x := func(ratio float64) float64 {
		return left + float64(width-left-20)*(math.Log10(max(ratio, least))-math.Log10(least))/-math.Log10(least)
	}
	var b bytes.Buffer
	total := 40 + height*len(rows) + 24
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Time of Ingot as a part of stock git's, by operation">`+"\n%s", width, total, chartStyle)
	for _, tick := range []float64{0.001, 0.01, 0.1, 1} {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="24" y2="%d"/><text x="%.1f" y="16" text-anchor="middle">%v</text>`+"\n", x(tick), x(tick), total-24, x(tick), tick)
	}
	for i, r := range rows {
		y := 34 + height*i
		fmt.Fprintf(&b, `<text class="name" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-8, y+14, html.EscapeString(r.name))
		if r.first.wall > 0 {
			fmt.Fprintf(&b, `<rect class="ours" x="%d" y="%d" width="%.1f" height="12"><title>%.3f</title></rect>`+"\n", left, y, x(r.ratio(r.first))-left, r.ratio(r.first))
		}
		if r.again.wall > 0 {
			fmt.Fprintf(&b, `<rect class="again" x="%d" y="%d" width="%.1f" height="8"><title>%.3f</title></rect>`+"\n", left, y+13, x(r.ratio(r.again))-left, r.ratio(r.again))
		}
		if r.goal > 0 {
			fmt.Fprintf(&b, `<line class="goal" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", x(r.goal), x(r.goal), y-2, y+23)
		}
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">wall time, ours / the best of stock: dark asked first, light asked again, red the goal</text>`+"\n</svg>\n", 20, total-6)
	return b.Bytes()
}

// growthChart draws time over size, both logarithmic.
func growthChart(sizes []int, names []string, series map[string][]float64) []byte {
	const width, height, left, right, top, bottom = 640, 420, 74, 190, 20, 40
	colours := []string{"#2f9e68", "#4b83c4", "#d9534f", "#b07cc6", "#d08c2b", "#5bb5b0", "#8a8f98", "#c2559b"}
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range series {
		for _, ms := range s {
			low, high = min(low, ms), max(high, ms)
		}
	}
	low, high = math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	x := func(i int) float64 { return left + float64(i)*float64(width-left-right)/float64(max(1, len(sizes)-1)) }
	y := func(ms float64) float64 { return height - bottom - (math.Log10(ms)-low)/(high-low)*(height-top-bottom) }
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Time of each operation by the number of commits">`+"\n%s", width, height, chartStyle)
	for e := low; e <= high; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%v ms</text>`+"\n", left, width-right, y(v), y(v), left-6, y(v)+4, v)
	}
	for i, n := range sizes {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", x(i), height-bottom+18, n)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">commits</text>`+"\n", left, height-6)
	for k, name := range names {
		s := series[name]
		if len(s) == 0 {
			continue
		}
		var points bytes.Buffer
		for i, ms := range s {
			fmt.Fprintf(&points, "%.1f,%.1f ", x(i), y(ms))
		}
		colour := colours[k%len(colours)]
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>`+"\n", colour, bytes.TrimSpace(points.Bytes()))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="10" height="10" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", width-right+16, top+20*k, colour, width-right+32, top+20*k+9, html.EscapeString(name))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
