"""Where the data comes from: files on this machine, a verified download, or the embedded samples."""
