"""
Translate between the wire and the features; decide nothing.

`operation` declares what a path takes and gives, `router` finds it, `edge` stands between it and
the wire, `openapi` describes it, `app` puts all together.
"""
