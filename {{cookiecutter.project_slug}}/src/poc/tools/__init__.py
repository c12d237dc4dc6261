"""One file per library; thin enough to delete; the only importers of that library."""
