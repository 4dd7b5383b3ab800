"""The pages with their forms, one file each. Each file is a blueprint with the name of the file."""
