"""Tables in Parquet of which only the rows of an area are read, on this machine or on servers."""
