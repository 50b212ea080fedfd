"""PURE. Statements of the OpenTelemetry Transformation Language: read, and held against what there is."""
