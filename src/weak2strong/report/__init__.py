"""What a person looks at: tables, and later pages and figures."""
