"""The index on one machine: the interface every engine implements, and the files that are searched. Reading only."""
