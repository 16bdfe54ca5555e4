"""The index on one machine: what an index must offer, and the files that are searched. Reading only."""
