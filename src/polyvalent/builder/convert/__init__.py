"""Convert what describes an API elsewhere into an element: Swagger 2.0 and OpenAPI 3. Pure."""
