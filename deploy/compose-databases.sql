CREATE DATABASE rushlight_secrets OWNER rushlight;
