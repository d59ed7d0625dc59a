"""
Send spans of requests and vendor calls to a collector of OpenTelemetry, if the operator has one.

`model` says what spans are told, `open` gives a way to send them, `otlp` is that way. The library
is an extra (`polyvalent[otel]`): nothing but `otlp` imports it, and only once spans are wanted.
"""
