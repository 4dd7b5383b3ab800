"""The pages, one file each, with the forms that belong to them; each file is a blueprint of its own name."""
