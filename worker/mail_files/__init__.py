"""Mail in files: .eml files, folders, Maildir and mbox, read one mail at a time and judged without Gmail."""
