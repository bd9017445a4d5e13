"""Sentences with a tag for each word: files, schemes of spans, ids."""
