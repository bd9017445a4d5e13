"""Units: what single units and gates of a network follow."""
