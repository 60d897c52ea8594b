"""The documentation as a site: what `make docs` builds.

Lives here: what the repository's own pages need before Zensical can build them. Its settings are in
mkdocs.yml, and its pages are those of the repository, so nothing is written twice.
Knows the documents and openapi.yaml. Does not know the packages: it imports none of them.
"""
