INSERT INTO orders (item) SELECT 'a shuttle' WHERE NOT EXISTS (SELECT FROM orders);
