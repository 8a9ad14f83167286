"""The rows that staff keep at the desk: read and changed through its own pages' forms, queries and permissions."""
