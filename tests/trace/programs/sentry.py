"""Report to Sentry."""

import sys

import sentry_sdk

sentry_sdk.init(sys.argv[1].replace("//", "//key@") + "/1")  # here
for number in range(5):
    sentry_sdk.capture_message(f"number {number}")
    sentry_sdk.flush()
