INSERT INTO cities VALUES ('Oslo'), ('Lyon');
