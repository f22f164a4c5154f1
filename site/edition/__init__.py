"""The recipe of the browser edition: what its pages are made of, and the build."""
