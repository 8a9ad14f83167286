"""Razorpay: one payment link per order, asked over its HTTP API. https://razorpay.com/docs/api/payments/payment-links/"""
