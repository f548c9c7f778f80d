# SPDX-License-Identifier: GPL-2.0
# bench/report runs this where its data files are.
set encoding utf8
set key left top
set grid
set style data linespoints
set pointsize 0.7
set title font ",13"

set terminal svg size 900,760 dynamic background rgb "white" font "sans-serif,12"
set output "loading.svg"
set multiplot layout 2,1
set title "Loading a program: instructions for its verification"
set logscale xy
set format x "10^{%T}"
set format y "10^{%T}"
set xlabel "call sites"
set ylabel "instructions"
plot "load.dispatch.base" title "scx\\_bpf\\_dispatch(): base" lc rgb "#bbbbbb" lw 5 pt 6, \
     "load.dispatch.patched" title "patched" lc rgb "#c03030" pt 7, \
     "pass.dispatch" title "of which the pass" lc rgb "#c03030" dt 2 pt 5, \
     "load.sites.base" title "no arguments: base" lc rgb "#bbbbbb" lw 5 pt 6, \
     "load.sites.patched" title "patched" lc rgb "#3060c0" pt 7, \
     "pass.sites" title "of which the pass" lc rgb "#3060c0" dt 2 pt 5

set title "The pass's share of the verification"
set format y "%g %%"
set ylabel ""
set xlabel "call sites, kfuncs, subprograms"
plot "share.dispatch" using 1:(100 * $2) title "call sites: scx\\_bpf\\_dispatch()" lc rgb "#c03030" pt 7, \
     "share.sites" using 1:(100 * $2) title "call sites: no arguments" lc rgb "#3060c0" pt 7, \
     "share.kfuncs" using 1:(100 * $2) title "kfuncs, 10,000 sites" lc rgb "#309030" pt 7, \
     "share.subprogs" using 1:(100 * $2) title "subprograms, 10,000 sites" lc rgb "#a06000" pt 7, \
     1 title "to reach: 1 %" lc rgb "black" dt 3 with lines
unset multiplot
unset logscale

set output "calls.svg"
set multiplot layout 2,1
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set format x "%g"
set format y "%g"
set xlabel ""
set yrange [0:*]
set key above
set title "Instructions of one call of scx\\_bpf\\_dispatch(), one invocation of an operation"
set xtics rotate by -20
plot "calls" using 2:xtic(1) title "base" lc rgb "#888888", "" using 3 title "patched" lc rgb "#3060c0"
set title "Instructions saved in a round trip between two processes"
plot "rounds" using ($2-$3):xtic(1) title "base - patched" lc rgb "#309030"
unset multiplot
