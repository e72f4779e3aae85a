-- The number of the file on its disk: a copy has another one, and must not go by the name of the original (storage/own_file.py).
CREATE TABLE own_file (
    own_file_row INTEGER PRIMARY KEY CHECK (own_file_row = 1),
    file_id TEXT NOT NULL,
    sum INTEGER NOT NULL
);
