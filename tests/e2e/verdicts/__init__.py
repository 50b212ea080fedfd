"""What real collectors say about configurations, and what `configs.collector.validate` says about the same."""
