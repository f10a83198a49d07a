"""The law of the house: agreements, decisions, PDF copies, tokens and the audit log's form. No framework, no database, no clock."""
