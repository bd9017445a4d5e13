"""Attribution: how much each step of an input moved the answer."""
