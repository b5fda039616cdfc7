"""What of this machine a study depends on, looked at and tried, with what to do where it fails."""
