"""The playground that people see at `/`: plain HTML, CSS and JavaScript modules.

Lives here: what browsers are sent as it is, without a build step. `question/` is what is asked,
`server/` how it is asked, `views/` what is seen of both, and `main.js` puts them together. Knows
the HTTP API, by paths relative to its own. Does not know the service: it is a caller like others.
"""
