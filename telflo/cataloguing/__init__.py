"""`telflo collector_catalog`: catalogs of collector versions, listed and built. Needs no server and no database."""
