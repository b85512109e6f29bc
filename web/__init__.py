"""The HTTP doors. Flask ends here: views translate between HTTP and functions they are handed, and decide nothing."""
