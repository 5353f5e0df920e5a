"""The inner ear: customer-service exports become masked sessions."""
