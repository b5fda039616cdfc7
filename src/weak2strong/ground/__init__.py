"""What everything stands on: errors, ids, registries, plugins, metrics, predictions, the store."""
