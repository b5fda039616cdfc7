"""Folders of experiments as pages and figures take them: one short file a command."""
