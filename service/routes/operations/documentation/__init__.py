"""`/docs`: the API as a page that tries it, all of whose files come from this server.

Lives here: the page, what starts it, and Swagger UI as its authors publish it (`make swagger-ui`).
Knows nothing but its files. Does not know the routes that it shows: the browser reads openapi.json.
"""
