"""Digital badges for the Open edX Credentials service: from learning events to awarded badges."""
