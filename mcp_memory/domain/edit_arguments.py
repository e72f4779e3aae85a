"""What agents' tools call the arguments that name a file and hold its text. Pure."""

FILES = (
    "path",
    "file",
    "file_path",
    "filepath",
    "filename",
    "file_name",
    "notebook_path",
    "target_file",
    "relative_path",
    "absolute_path",
)  # the first that is given counts
EDITED_FILES = (*FILES, "filePath")  # of a call that edits
FOLDERS = ("cwd", "workdir", "dir", "directory", "folder")
# What stood there, and what stands there now.
PAIRS = (("old_str", "new_str"), ("old_string", "new_string"), ("old", "new"), ("search", "replace"), ("oldString", "newString"))
SEVERAL = "edits"  # several pairs in one call
WHOLE = ("content", "file_text", "contents")  # all that the file is to hold
TEXTS = (
    *("text", *WHOLE, "old_str", "new_str", "old_string", "new_string", "insert_text", "new_content", "patch", "diff"),
    SEVERAL,
)  # what is written, or written over
CODE_TEXTS = (*TEXTS, "replacement", "code_edit", "new_source")
