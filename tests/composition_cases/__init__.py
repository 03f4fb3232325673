"""Composition cases: `<topic>/<case>.graphql` holds the subgraphs, `<case>.oracles.json` what others make of them.

The first comment line is what the case shows. Further comment lines before the first subgraph may say
`expect: CODE, CODE` (what we answer, where that is not what Apollo's composition answers) and must then say
`because: ...`.
"""
