"""What people and programs see of badges: pages, images, a REST API, and mails."""
