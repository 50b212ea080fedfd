"""`telflo rollout`: speaks to a server's REST API from a pipeline. It knows neither Django nor a database."""
