"""Rumours in, ranges out: distributions, one shared sample matrix, what drives a result, what a finding implies.

`spreads` and `reading` say what a range is; `draws` holds the sample matrix of a study and hands each input its column;
`ranged` asks a question with ranges; `study` is the sampled answer, with percentiles, chances and conditions; `drivers`
ranks the inputs; `conventions` compares ways of counting.
"""
