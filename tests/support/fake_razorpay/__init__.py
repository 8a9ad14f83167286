"""A loopback server that speaks Razorpay's documented HTTP, for tests, the demo and the storm.

It moves no money and keeps nothing: `python -m tests.support.fake_razorpay` runs it as a process of its own. Its rules
and its errors are those of https://razorpay.com/docs/api; what its control door adds stands in `control.py`.
"""
