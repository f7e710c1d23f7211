"""Audits: the claims of somebody's estimate, computed again by costline.

An audit is a TOML file: claims, what each assumed, which of costline's computations gives its value, and by how much
the two may differ. Verdicts are derived, never stated: a claim holds, has an arithmetic slip (its own inputs give
another value), rests on a wrong premise (its inputs are not what costline or a published measurement finds), or says
nothing that can be computed.

`document` reads files, `operations` lists the computations a file may name, `judge` runs them.
"""
