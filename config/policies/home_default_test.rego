package yori.home_default_test

import data.yori.home_default

test_allows_every_request if home_default.allow with input as {}
