// SPDX-License-Identifier: Apache-2.0
// java -cp "$(hbase classpath)" Rows.java write COUNT | read
// Writes rows into a table of four regions, which it makes. Prints how many the table has, and the sum of their values.

import java.io.IOException;
import org.apache.hadoop.hbase.HBaseConfiguration;
import org.apache.hadoop.hbase.TableName;
import org.apache.hadoop.hbase.client.Admin;
import org.apache.hadoop.hbase.client.ColumnFamilyDescriptorBuilder;
import org.apache.hadoop.hbase.client.Connection;
import org.apache.hadoop.hbase.client.ConnectionFactory;
import org.apache.hadoop.hbase.client.Put;
import org.apache.hadoop.hbase.client.Result;
import org.apache.hadoop.hbase.client.ResultScanner;
import org.apache.hadoop.hbase.client.Scan;
import org.apache.hadoop.hbase.client.Table;
import org.apache.hadoop.hbase.client.TableDescriptorBuilder;
import org.apache.hadoop.hbase.util.Bytes;

public class Rows {
    static final TableName NAME = TableName.valueOf("numbers");
    static final byte[] FAMILY = Bytes.toBytes("f"), COLUMN = Bytes.toBytes("value");

    public static void main(String[] words) throws IOException {
        try (Connection connection = ConnectionFactory.createConnection(HBaseConfiguration.create())) {
            if (words[0].equals("write")) {
                make(connection);
                write(connection, Integer.parseInt(words[1]));
            }
            read(connection);
        }
    }

    static void make(Connection connection) throws IOException {
        try (Admin admin = connection.getAdmin()) {
            byte[][] splits = {Bytes.toBytes("2"), Bytes.toBytes("5"), Bytes.toBytes("8")};
            admin.createTable(TableDescriptorBuilder.newBuilder(NAME)
                .setColumnFamily(ColumnFamilyDescriptorBuilder.of(FAMILY)).build(), splits);
        }
    }

    static void write(Connection connection, int count) throws IOException {
        try (Table table = connection.getTable(NAME)) {
            for (int number = 1; number <= count; number++) {
                table.put(new Put(Bytes.toBytes(new StringBuilder().append(number).reverse().toString()))
                    .addColumn(FAMILY, COLUMN, Bytes.toBytes(number)));
            }
        }
    }

    static void read(Connection connection) throws IOException {
        int count = 0, sum = 0;
        try (Table table = connection.getTable(NAME); ResultScanner rows = table.getScanner(new Scan())) {
            for (Result row : rows) {
                count++;
                sum += Bytes.toInt(row.getValue(FAMILY, COLUMN));
            }
        }
        System.out.println(count + " " + sum);
    }
}
